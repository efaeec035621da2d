package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// idle is how long a room with nothing to do waits before it looks again by
// itself: for what came due, and for what other nodes did.
const idle = 250 * time.Millisecond

// Loop runs the steps of a room until the context ends. wake tells that there may
// be work. A full disk and a store that is away are waited out: nothing of the step
// was written and the same work is taken again. Any other error ends the room.
func Loop(ctx context.Context, room string, wake <-chan struct{}, step func(context.Context) (did bool, err error)) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		did, err := step(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrFull), errors.Is(err, ErrAway):
			did = false
		case err != nil:
			return fmt.Errorf("%s: %w", room, err)
		}
		if did {
			continue
		}
		timer.Reset(idle)
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-timer.C:
		}
	}
}

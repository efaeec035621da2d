package crossdock

import "strings"

// Nearest returns the known name that was most likely meant by word, or "" when
// none is near: at most a third of the letters are wrong (a letter too many, too
// few, another one, or two neighbours swapped; capitals don't count). Among
// equally near ones the first of known is taken.
func Nearest(word string, known []string) string {
	w := []rune(strings.ToLower(word))
	if len(w) == 0 || len(w) > 64 {
		return ""
	}
	best, least := "", max(1, (len(w)+1)/3)+1
	for _, k := range known {
		if d := distance(w, []rune(strings.ToLower(k))); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the edits between a and b: optimal string alignment, after
// Damerau (1964).
func distance(a, b []rune) int {
	older, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			row[j+1] = min(last[j]+change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], older[j-1]+1)
			}
		}
		older, last, row = last, row, older
	}
	return last[len(b)]
}

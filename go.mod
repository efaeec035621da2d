module github.com/crossdockhq/crossdock

go 1.26

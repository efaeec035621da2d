module github.com/crossdockhq/crossdock

go 1.26

require github.com/shopspring/decimal v1.4.0

require pgregory.net/rapid v1.3.0 // indirect

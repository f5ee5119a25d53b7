module mailgun-mcp-sdk

go 1.24

require (
	github.com/google/uuid v1.6.0
	github.com/mailgun/mailgun-go/v5 v5.8.1
)

require (
	github.com/json-iterator/go v1.1.12 // indirect
	github.com/mailgun/errors v0.4.0 // indirect
	github.com/modern-go/concurrent v0.0.0-20180306012644-bacd9c7ef1dd // indirect
	github.com/modern-go/reflect2 v1.0.2 // indirect
	github.com/oapi-codegen/runtime v1.1.2 // indirect
)

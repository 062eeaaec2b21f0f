"""What the processes send each other: wire format, requests, messages and jobs. Imports no third-party package."""

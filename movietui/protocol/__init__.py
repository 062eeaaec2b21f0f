"""What the processes send each other: wire format, requests, messages, jobs. Needs only the standard library."""

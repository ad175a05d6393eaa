"""The subcommands of `eventdeck`, one a file; COMMANDS in the registry lists them."""

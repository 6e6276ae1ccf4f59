"""The subcommands, one file each, with `EXAMPLES`, `add_arguments` and `run`; `cli.program.COMMANDS` lists them."""

"""The command line: argv, files, terminal, exit codes; no domain logic."""

"""The commands of the command line: `making` changes a corpus, `reading` looks at one."""

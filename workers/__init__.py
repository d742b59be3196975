"""State that lives as long as a process: towers, decoders, readers and writers. No orchestration."""

"""QA pairs from timed events: the grammar of event texts, what may be asked of a video, a file per task, the audit."""

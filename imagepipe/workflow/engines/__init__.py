"""Task engines: one module each with ``send(run_uid, priority)``."""

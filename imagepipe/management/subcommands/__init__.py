"""One module per subcommand of ``manage.py imagepipe``."""

"""Schema migrations, run by web.database."""

"""Who you are: passwords, one-time codes, server-side login sessions."""

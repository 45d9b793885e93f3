"""Pages of the psychometrician and the auditor: test packages, files of sittings, replays."""

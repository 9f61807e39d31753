"""Configuration: settings, addresses, web server entry."""

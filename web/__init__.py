"""The phone remote: a web server that faces the network and may crash at any moment."""

"""What `install.sh` does, with Python's standard library alone: it runs before there is a venv."""

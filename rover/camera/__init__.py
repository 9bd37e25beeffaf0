"""The camera's pictures: taken, made small enough for each link, and handed to the web server."""

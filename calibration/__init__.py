"""What a person and the rover find out together: procedures, and where their results are kept."""

"""What happens to a file, between the API's answer and the last record in the database."""

"""The binary formats of insightface: training records and verification pairs."""

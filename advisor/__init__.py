"""The front door: the command line, and later the questionnaire, its rules and estimates."""

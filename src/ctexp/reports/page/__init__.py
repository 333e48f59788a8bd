"""The page as it is sent around: one template a section, one style sheet, one script, put into one file."""

"""What was found: `results.yaml` for programs and `FINDINGS.md` for people, all of it made from records.

marks             what is generated on a page, and what is people's
page              a page of both
history           what is new
wording           text that stays text
experiment_page   what the page of an experiment says
project_page      what that of the project says
sources           the footnotes
results           results.yaml
kept              records that history cites
write             puts it together
"""

from ctexp.research.findings.write import refuse_altered, write

__all__ = ["refuse_altered", "write"]

"""What is told of mutants: on a terminal, on a page, and for programs."""

from nomock.mutation.report.elements import elements_of
from nomock.mutation.report.figures import Figures, figures_by_file, figures_of, record_of
from nomock.mutation.report.page import page_of
from nomock.mutation.report.results import Results
from nomock.mutation.report.text import survivor_lines, table_of
from nomock.mutation.report.writing import write_reports

__all__ = [
    "Figures",
    "Results",
    "elements_of",
    "figures_by_file",
    "figures_of",
    "page_of",
    "record_of",
    "survivor_lines",
    "table_of",
    "write_reports",
]

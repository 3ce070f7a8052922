"""One way to show a table of results: terminal, JSON, CSV, or one HTML page."""

from matbackprop.reporting.files import check_targets, check_writable, write_csv, write_text
from matbackprop.reporting.page import html_page
from matbackprop.reporting.terminal import Terminal
from matbackprop.reporting.texts import as_json, readable

__all__ = [
    "Terminal",
    "as_json",
    "check_targets",
    "check_writable",
    "html_page",
    "readable",
    "write_csv",
    "write_text",
]

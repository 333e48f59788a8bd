"""The pages of this folder as a site: `inv docs` builds it, and a warning is an error."""

project = "ctexp"
extensions = ["myst_parser"]
exclude_patterns = ["schemas"]
html_theme = "furo"
html_title = "ctexp"
html_copy_source = False
html_show_copyright = False
myst_heading_anchors = 3
nitpicky = True

"""How Sphinx reads the assembled sources; `docs/site/build.py` puts them together and calls it."""

from importlib.metadata import version as installed

project = "SubnetLab"
version = release = installed("subnetlab")
extensions = ["myst_nb"]
root_doc = "index"
html_theme = "furo"
html_title = f"SubnetLab {release}"
html_copy_source = False
html_show_copyright = False
html_theme_options = {"footer_icons": [], "top_of_page_buttons": []}
nb_execution_mode = "off"  # a notebook takes minutes; see DECISIONS.md
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # a notebook may begin with a section of the third level

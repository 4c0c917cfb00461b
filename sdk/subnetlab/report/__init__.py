"""What a run means: sentences, tables and drawings of a `RunView`, as text, HTML or SVG.

Computed from the view and nothing else: no network, no torch, no Jupyter.
"""

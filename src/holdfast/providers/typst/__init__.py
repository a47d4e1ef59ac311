"""The typesetter that turns typst source into PDF."""

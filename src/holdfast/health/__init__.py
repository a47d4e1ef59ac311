"""Pure: observations in a window become signals and a health score per region. *Unknown* is not *down*."""

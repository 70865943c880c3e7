"""Laws of the whole loop over workbooks that applications edited: nothing typed is lost or changed in silence."""

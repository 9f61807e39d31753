"""Exchange (*aller-retour*): a whole contract to a workbook or a YAML file and back, cell by cell.

The file carries the text it was made from, so that a change made meanwhile in Jalon is never taken for a change made
in the file: what the file changed is compared with its own starting point, then brought into the text of now.
"""

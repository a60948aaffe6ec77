"""How does a market look on a page, drawn without a plotting library?"""

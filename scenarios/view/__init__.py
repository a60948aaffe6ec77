"""How does a person step through a market in a browser?"""

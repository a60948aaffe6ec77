"""How does a saved run get into other people's tools?"""

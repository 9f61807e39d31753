"""The look (*la charte graphique*): base templates, components, theme, charts and map.

Everything drawn here is drawn on the server and works without JavaScript. Nothing here knows a
cluster or a contract: templates and functions take plain values.
"""

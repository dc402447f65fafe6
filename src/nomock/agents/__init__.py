"""What programs may ask of nomock by the Model Context Protocol: https://modelcontextprotocol.io"""

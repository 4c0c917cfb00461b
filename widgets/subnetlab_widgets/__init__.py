"""Pictures and widgets for the SDK's objects; the SDK itself knows nothing of notebooks."""

"""Moving a life in and out: exports of our own, chats from elsewhere, folders of files and screenshots."""

namespace NinCudnn.Formats;

/// <summary>What messages may hold of text out of files.</summary>
internal static class MessageText
{
    private const int MostCharacters = 1000;

    /// <summary>A message about a file's content, on one line, with the file's path before it unless it begins with that.</summary>
    public static string InFile(string path, string message) =>
        OneLine(message.StartsWith(path, StringComparison.Ordinal) ? message : $"{path}: {message}");

    /// <summary>
    /// Writes control characters as JSON does, for example \u000a: a name in a file can neither break a message into lines nor command a terminal. Of a long
    /// message, which parsers make by quoting the rest of a file, the middle is left out.
    /// </summary>
    public static string OneLine(string message)
    {
        if (message.Length > MostCharacters)
            message = $"{message[..(MostCharacters / 2)]} … {message[^(MostCharacters / 2)..]}";
        return message.Any(char.IsControl) ? string.Concat(message.Select(c => char.IsControl(c) ? $"\\u{(int)c:x4}" : $"{c}")) : message;
    }
}

using System.Text.RegularExpressions;

namespace NinCudnn.Ptx.Tests.Ptx;

/// <summary>
/// Reads a PTX module: its head, the kernels' parameters, and their bodies statement by statement, which
/// <see cref="PtxDecoder"/> turns into instructions. What it does not know is an error with file, line and text.
/// </summary>
internal sealed partial class PtxParser
{
    private readonly string _file;
    private readonly string _text;
    private readonly OperationTable _operations;
    private int _position;

    private PtxParser(string file, string text, int approximation)
    {
        _file = file;
        // Comments become spaces, so that positions still tell the line.
        _text = Comment().Replace(text, match => NotNewline().Replace(match.Value, " "));
        _operations = new OperationTable(approximation);
    }

    /// <param name="file">The name for messages.</param>
    /// <param name="text">The PTX text.</param>
    /// <param name="approximation">See <see cref="OperationTable"/>.</param>
    public static PtxModule Parse(string file, string text, int approximation = 0) => new PtxParser(file, text, approximation).Module();

    private PtxModule Module()
    {
        string version = Required(Version()).Groups[1].Value;
        string target = Required(Target()).Groups[1].Value;
        if (Required(AddressSize()).Groups[1].Value != "64")
            throw Error(_position, "addresses must have 64 bits");

        var entries = new Dictionary<string, PtxEntry>();
        SkipSpace();
        while (_position < _text.Length)
        {
            PtxEntry entry = Entry();
            if (!entries.TryAdd(entry.Name, entry))
                throw Error(_position, $"a second entry {entry.Name}");
            SkipSpace();
        }
        return new PtxModule(_file, version, target, entries);
    }

    private PtxEntry Entry()
    {
        Match head = Required(EntryHead());
        var parameters = new List<PtxParameter>();
        int offset = 0;
        foreach (string declaration in head.Groups[2].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            Match match = Parameter().Match(declaration);
            if (!match.Success || PtxType.Find(match.Groups[1].Value) is not { } type)
                throw Error(head.Index, $"unknown parameter declaration `{declaration}`");
            offset = (offset + type.Bytes - 1) / type.Bytes * type.Bytes;
            parameters.Add(new PtxParameter(match.Groups[2].Value, type, offset));
            offset += type.Bytes;
        }
        var decoder = new PtxDecoder(_operations, parameters);
        Body(decoder);
        return Guarded(head.Index, () => decoder.Finish(_file, head.Groups[1].Value));
    }

    private void Body(PtxDecoder decoder)
    {
        for (int depth = 1; depth > 0;)
        {
            SkipSpace();
            int start = _position;
            if (start == _text.Length)
                throw Error(start, "the text ends inside a kernel");
            if (_text[start] == '{')
            {
                decoder.OpenScope();
                depth++;
                _position++;
            }
            else if (_text[start] == '}')
            {
                decoder.CloseScope();
                depth--;
                _position++;
            }
            else if (Label().Match(_text, start) is { Success: true } label)
            {
                Guarded(start, () => decoder.Label(label.Groups[1].Value));
                _position += label.Length;
            }
            else
            {
                int end = _text.IndexOf(';', start);
                if (end < 0)
                    throw Error(start, "a statement without end");
                string statement = Space().Replace(_text[start..end], " ").Trim();
                Guarded(start, () => decoder.Statement(LineOf(start), statement));
                _position = end + 1;
            }
        }
    }

    private void SkipSpace()
    {
        while (_position < _text.Length && char.IsWhiteSpace(_text[_position]))
            _position++;
    }

    private Match Required(Regex pattern)
    {
        SkipSpace();
        Match match = pattern.Match(_text, _position);
        if (!match.Success)
            throw Error(_position, "not what a module may have here");
        _position += match.Length;
        return match;
    }

    private void Guarded(int position, Action action) => Guarded(position, () =>
    {
        action();
        return 0;
    });

    private T Guarded<T>(int position, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (PtxException exception)
        {
            throw Error(position, exception.Message);
        }
    }

    private PtxException Error(int position, string problem)
    {
        int end = _text.AsSpan(position).IndexOfAny(';', '\n');
        string text = (end < 0 ? _text[position..] : _text[position..(position + end)]).Trim();
        return new PtxException($"{_file}({LineOf(position)}): `{Space().Replace(text, " ")}`: {problem}");
    }

    private int LineOf(int position) => _text.AsSpan(0, position).Count('\n') + 1;

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"[^\n]")]
    private static partial Regex NotNewline();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    [GeneratedRegex(@"\G\.version\s+(\d+\.\d+)")]
    private static partial Regex Version();

    [GeneratedRegex(@"\G\.target\s+(\w+)")]
    private static partial Regex Target();

    [GeneratedRegex(@"\G\.address_size\s+(\d+)")]
    private static partial Regex AddressSize();

    [GeneratedRegex(@"\G\.visible\s+\.entry\s+([\w$]+)\s*\(([^)]*)\)\s*\{")]
    private static partial Regex EntryHead();

    [GeneratedRegex(@"^\.param\s+\.(\w+)\s+([\w$]+)$")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"\G([\w$]+)\s*:")]
    private static partial Regex Label();
}

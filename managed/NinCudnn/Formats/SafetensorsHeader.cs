using System.Text.Json;

namespace NinCudnn.Formats;

/// <summary>
/// Parses the JSON header of a safetensors file and checks it whole: every tensor's size fits its type and shape, and together the tensors
/// cover the data without gap or overlap, as the format demands.
/// </summary>
internal ref struct SafetensorsHeader
{
    internal const string MetadataKey = "__metadata__";
    internal const string ChecksumName = "nin.xxh128"; // a tensor, the last one: XXH128 of all bytes of the file before its data
    internal const int ChecksumBytes = 16;
    internal const int LengthBytes = 8;

    private readonly string _path;
    private readonly long _dataBytes;
    private readonly Dictionary<string, SafetensorsTensor> _tensors = new(StringComparer.Ordinal);
    private Dictionary<string, string>? _metadata;
    private Utf8JsonReader _json;

    private SafetensorsHeader(string path, ReadOnlySpan<byte> header, long dataBytes)
    {
        _path = path;
        _dataBytes = dataBytes;
        _json = new Utf8JsonReader(header);
    }

    /// <param name="path">The file, for messages.</param>
    /// <param name="header">The JSON text.</param>
    /// <param name="dataBytes">Bytes after the header.</param>
    /// <exception cref="InvalidDataException">The header is not right; the message has the file and the offset in it.</exception>
    public static (Dictionary<string, SafetensorsTensor> Tensors, Dictionary<string, string> Metadata) Parse(
        string path, ReadOnlySpan<byte> header, long dataBytes)
    {
        var parser = new SafetensorsHeader(path, header, dataBytes);
        try
        {
            parser.ParseTop();
        }
        catch (JsonException e)
        {
            throw parser.Fail($"the header is not valid JSON ({e.Message})", e);
        }
        catch (InvalidOperationException e)
        {
            // What Utf8JsonReader throws for a string that is not valid UTF-8.
            throw parser.Fail("the header has a string that is not valid UTF-8", e);
        }

        parser.CheckCoverage();
        return (parser._tensors, parser._metadata ?? []);
    }

    private readonly InvalidDataException Fail(string what, Exception? inner = null) =>
        new(MessageText.OneLine($"{_path}: {what}, at offset {LengthBytes + _json.TokenStartIndex}"), inner);

    private void ParseTop()
    {
        Expect(JsonTokenType.StartObject, "the header");
        while (ReadKey() is { } name)
        {
            if (name == MetadataKey)
                ParseMetadata();
            else if (!_tensors.TryAdd(name, ParseTensor(name)))
                throw Fail($"tensor '{name}' occurs twice");
        }

        _json.Read(); // throws unless only white space follows
    }

    private void ParseMetadata()
    {
        if (_metadata is not null)
            throw Fail($"{MetadataKey} occurs twice");
        _metadata = new(StringComparer.Ordinal);
        Expect(JsonTokenType.StartObject, MetadataKey);
        while (ReadKey() is { } key)
        {
            Expect(JsonTokenType.String, $"{MetadataKey} '{key}'");
            if (!_metadata.TryAdd(key, _json.GetString()!))
                throw Fail($"{MetadataKey} '{key}' occurs twice");
        }
    }

    private SafetensorsTensor ParseTensor(string name)
    {
        SafetensorsType? type = null;
        int[]? shape = null;
        (long Begin, long End)? offsets = null;
        Expect(JsonTokenType.StartObject, $"tensor '{name}'");
        while (ReadKey() is { } key)
        {
            switch (key)
            {
                case "dtype" when type is null:
                    type = ParseType(name);
                    break;
                case "shape" when shape is null:
                    shape = ParseShape(name);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ParseOffsets(name);
                    break;
                default:
                    throw Fail($"tensor '{name}' has an unknown or second '{key}'");
            }
        }

        if (type is not { } elementType || shape is null || offsets is not var (begin, end))
            throw Fail($"tensor '{name}' lacks dtype, shape or data_offsets");
        if (begin < 0 || end < begin || end > _dataBytes)
            throw Fail($"tensor '{name}' has data_offsets [{begin}, {end}], the file has {_dataBytes} bytes of data");

        if (!elementType.TryByteCount(shape, out var bytes) || bytes != end - begin)
            throw Fail($"tensor '{name}' has {end - begin} bytes of data, {elementType} [{string.Join(", ", shape)}] needs another number");
        return new SafetensorsTensor(name, elementType, shape, begin, end);
    }

    private SafetensorsType ParseType(string name)
    {
        Expect(JsonTokenType.String, $"dtype of '{name}'");
        var text = _json.GetString()!;
        foreach (var type in Enum.GetValues<SafetensorsType>())
        {
            if (type.ToString() == text)
                return type;
        }

        throw Fail($"tensor '{name}' has the unknown dtype '{text}'");
    }

    private int[] ParseShape(string name)
    {
        var shape = new List<int>();
        Expect(JsonTokenType.StartArray, $"shape of '{name}'");
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (_json.TokenType != JsonTokenType.Number || !_json.TryGetInt32(out var size) || size < 0)
                throw Fail($"shape of '{name}' has a dimension that is not a whole number from 0 to {int.MaxValue}");
            shape.Add(size);
        }

        return [.. shape];
    }

    private (long Begin, long End) ParseOffsets(string name)
    {
        Expect(JsonTokenType.StartArray, $"data_offsets of '{name}'");
        var begin = ParseOffset(name);
        var end = ParseOffset(name);
        Expect(JsonTokenType.EndArray, $"data_offsets of '{name}'");
        return (begin, end);
    }

    private long ParseOffset(string name)
    {
        Expect(JsonTokenType.Number, $"data_offsets of '{name}'");
        return _json.TryGetInt64(out var offset) ? offset : throw Fail($"data_offsets of '{name}' are not whole numbers");
    }

    /// <summary>Reads the next key of an object, or null at its end.</summary>
    private string? ReadKey() =>
        _json.Read() && _json.TokenType == JsonTokenType.PropertyName ? _json.GetString() : null;

    private void Expect(JsonTokenType expected, string what)
    {
        if (!_json.Read() || _json.TokenType != expected)
            throw Fail($"{what}: found {_json.TokenType} where {expected} belongs");
    }

    private readonly void CheckCoverage()
    {
        long covered = 0;
        foreach (var tensor in _tensors.Values.OrderBy(tensor => tensor.Begin).ThenBy(tensor => tensor.End))
        {
            if (tensor.Begin != covered)
            {
                var what = tensor.Begin < covered ? "overlaps the tensor before it" : "leaves a gap before it";
                throw new InvalidDataException(MessageText.OneLine(
                    $"{_path}: tensor '{tensor.Name}' begins at data offset {tensor.Begin} and {what}, which ends at {covered}"));
            }

            covered = tensor.End;
        }

        if (covered != _dataBytes)
            throw new InvalidDataException($"{_path}: the tensors end at data offset {covered}, the file has {_dataBytes} bytes of data");
    }
}

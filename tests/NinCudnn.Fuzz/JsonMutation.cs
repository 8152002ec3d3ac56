using System.Text;
using System.Text.Json;

namespace NinCudnn.Fuzz;

/// <summary>Changes of JSON text by its tokens: of values and names, also in JSON that a string holds, as a model's metadata do.</summary>
internal static class JsonMutation
{
    private static readonly byte[][] _texts =
    [
        .. new[]
        {
            "null", "true", "false", "0", "-0", "-1", "1", "2", "3", "0.5", "4096", "65536", "2147483647", "2147483648", "-2147483648", "4294967297",
            "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e38", "1e39", "1e308", "1e999", "-1e999", "1e-400", "NaN", "Infinity",
            "\"NaN\"", "\"Infinity\"", "\"-Infinity\"", "\"1\"", "\"\"", "\"seed\"", "\"block\"",
            "\"a\\nb\"", "\"\\u001b[31m\"", "\"\\u0000\"", "\"\\ud800\"", "\"/etc/passwd\"",
            "\"$type\"", "\"type\"", "\"base\"", "[]", "{}", "[null]", "[1,2]", "[0.5,0.25]", "{\"type\":\"flatten\"}", "{\"type\":\"constant\"}", "//", ",", "",
        }.Select(Encoding.UTF8.GetBytes),
        [.. "\""u8, 0xff, 0xc0, .. "\""u8], // no UTF-8
        [.. Enumerable.Repeat((byte)'[', 5000)],
        [.. Enumerable.Repeat((byte)'[', 60), .. Enumerable.Repeat((byte)']', 60)],
        Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"after\":", 70)) + "1" + new string('}', 70)),
        Encoding.UTF8.GetBytes($"\"{new string('x', 5000)}\""),
        Encoding.UTF8.GetBytes($"0.{new string('3', 500)}"),
    ];

    private static readonly string[] _numbers = ["0", "1", "2", "3", "4", "5", "8", "10", "64", "0.1", "0.25", "0.5", "0.9", "1e-3", "1e3"];

    /// <param name="json">The text.</param>
    /// <param name="place">Which token, as a share of them.</param>
    /// <param name="value">Decides what is done with it.</param>
    public static byte[] Apply(ReadOnlySpan<byte> json, double place, uint value)
    {
        List<(int Start, int End, JsonTokenType Type)> tokens = Tokens(json);
        if (tokens.Count == 0)
            return json.ToArray();
        double index = place * tokens.Count;
        var (start, end, type) = tokens[(int)index];
        ReadOnlySpan<byte> token = json[start..end];
        uint choice = value % 8, which = value / 8;
        if (type == JsonTokenType.String && choice < 6 && Inner(token) is { } inner)
        {
            byte[] changed = Apply(Encoding.UTF8.GetBytes(inner), index - Math.Floor(index), which);
            return [.. json[..start], .. JsonSerializer.SerializeToUtf8Bytes(Encoding.UTF8.GetString(changed)), .. json[end..]];
        }
        var (otherStart, otherEnd, _) = tokens[(int)(which % (uint)tokens.Count)];
        return choice switch
        {
            // A member or a value twice, the same or another one; another number, which may well be right.
            0 => [.. json[..start], .. token, .. type == JsonTokenType.PropertyName ? ":0,"u8 : ","u8, .. json[start..]],
            1 => [.. json[..start], .. json[otherStart..otherEnd], .. json[end..]],
            2 or 3 or 4 when type == JsonTokenType.Number => [.. json[..start], .. Encoding.UTF8.GetBytes(_numbers[which % (uint)_numbers.Length]), .. json[end..]],
            _ => [.. json[..start], .. _texts[which % (uint)_texts.Length], .. json[end..]],
        };
    }

    private static string? Inner(ReadOnlySpan<byte> token)
    {
        try
        {
            string text = JsonSerializer.Deserialize<string>(token)!;
            return text.StartsWith('{') ? text : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Names and values, up to where the text is not JSON any more.</summary>
    private static List<(int Start, int End, JsonTokenType Type)> Tokens(ReadOnlySpan<byte> json)
    {
        var tokens = new List<(int, int, JsonTokenType)>();
        var reader = new Utf8JsonReader(json);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray))
                {
                    // Behind a name the reader has consumed the colon too.
                    int start = (int)reader.TokenStartIndex;
                    int end = reader.TokenType == JsonTokenType.PropertyName ? start + reader.ValueSpan.Length + 2 : (int)reader.BytesConsumed;
                    tokens.Add((start, end, reader.TokenType));
                }
            }
        }
        catch (JsonException)
        {
        }
        return tokens;
    }
}

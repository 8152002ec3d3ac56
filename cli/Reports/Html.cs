using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace NinCudnn.Cli.Reports;

/// <summary>
/// HTML that is put together by interpolated strings: what stands in braces is escaped, unless it is HTML itself; numbers are written in the
/// invariant culture. So no name of a class or a file can become markup.
/// </summary>
internal readonly record struct Html(string Text)
{
    public static Html Empty { get; } = new("");

    /// <summary>Escapes what is interpolated.</summary>
    public static Html Of(HtmlInterpolation html) => new(html.ToString());

    /// <summary>One behind the other.</summary>
    public static Html Join(IEnumerable<Html> parts) => new(string.Concat(parts.Select(part => part.Text)));

    public override string ToString() => Text;
}

[InterpolatedStringHandler]
internal readonly ref struct HtmlInterpolation(int literalLength, int formattedCount)
{
    private readonly StringBuilder _text = new(literalLength + formattedCount * 16);

    public void AppendLiteral(string literal) => _text.Append(literal);

    public void AppendFormatted(Html html) => _text.Append(html.Text);

    public void AppendFormatted(string? text) => _text.Append(WebUtility.HtmlEncode(text));

    public void AppendFormatted<T>(T value, string? format = null)
        where T : IFormattable => _text.Append(WebUtility.HtmlEncode(value.ToString(format, CultureInfo.InvariantCulture)));

    public override string ToString() => _text.ToString();
}

using Microsoft.AspNetCore.Http;

namespace NinCudnn.Cli.Serving;

/// <summary>A file of the page that <c>nin serve</c> shows; all are inside the program.</summary>
/// <param name="Path">Where it is found.</param>
/// <param name="ContentType">What it is.</param>
/// <param name="Content">Its bytes.</param>
internal sealed record PageFile(string Path, string ContentType, ReadOnlyMemory<byte> Content)
{
    // The page loads nothing from elsewhere, and no other page may frame it.
    private const string SecurityPolicy = "default-src 'self'; img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static IReadOnlyList<PageFile> All { get; } =
    [
        Read("/", "index.html", "text/html; charset=utf-8"),
        Read("/page.css", "page.css", "text/css; charset=utf-8"),
        Read("/page.js", "page.js", "text/javascript; charset=utf-8"),
        Read("/icon.svg", "icon.svg", "image/svg+xml"),
    ];

    public Task WriteAsync(HttpContext context)
    {
        context.Response.ContentType = ContentType;
        context.Response.ContentLength = Content.Length;
        context.Response.Headers.ContentSecurityPolicy = SecurityPolicy;
        context.Response.Headers.CacheControl = "no-cache"; // another version of the program has other files
        return context.Response.Body.WriteAsync(Content, context.RequestAborted).AsTask();
    }

    private static PageFile Read(string path, string name, string contentType)
    {
        using Stream resource = typeof(PageFile).Assembly.GetManifestResourceStream("page/" + name)!;
        using var content = new MemoryStream();
        resource.CopyTo(content);
        return new PageFile(path, contentType, content.ToArray());
    }
}

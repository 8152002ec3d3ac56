using NinCudnn.Tests;
using NinCudnn.Tests.Data;
using PuppeteerSharp;
using Xunit;

namespace Nin.Tests;

/// <summary>The pages that the program makes, in Chromium.</summary>
public sealed class BrowserTests : IAsyncLifetime
{
    private static readonly string[] _browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private readonly TemporaryDirectory _root = new();
    private readonly List<string> _complaints = [];
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        string? path = _browsers.FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, "needs Chromium (apt-get install chromium)");
        _browser = await Puppeteer.LaunchAsync(new LaunchOptions
        {
            ExecutablePath = path,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"], // it may run as root, in a container
            Timeout = 120_000,
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _root.Dispose();
    }

    [Fact]
    public async Task ServedPage_ImageThatIsChosen_IsPredictedAndExplained()
    {
        using var server = new RunningServer(ColourModel.Write(_root));
        IPage page = await OpenAsync(server.Address.ToString());
        _root.Write("red.png", ImageBytes.Png(20, 30, 255, 0, 0));
        await page.WaitForFunctionAsync("() => document.getElementById('model').textContent.includes('3 classes')");

        IElementHandle file = await page.QuerySelectorAsync("#file");
        await file.UploadFileAsync(_root.File("red.png"));

        await page.WaitForSelectorAsync("#classes li:nth-child(3)", new WaitForSelectorOptions { Visible = true });
        Assert.Equal(["red", "green", "blue"], await TextsAsync(page, "#classes span:first-child"));
        Assert.Equal("99.9 %", (await TextsAsync(page, "#classes .probability"))[0]);
        Assert.Equal("What speaks for “red”, at 8×8 places", (await TextsAsync(page, "#caption"))[0]);
        int[] pixel = await PixelOfMapAsync(page);
        Assert.Equal([255, 0, 0, 255], pixel); // red everywhere

        await page.ClickAsync("#classes li:nth-child(3) button");
        Assert.Equal("What speaks for “blue”, at 8×8 places", (await TextsAsync(page, "#caption"))[0]);
        Assert.Equal(0, (await PixelOfMapAsync(page))[3]); // nothing anywhere

        await page.ClickAsync("#overlay");
        Assert.True(await page.EvaluateExpressionAsync<bool>("document.getElementById('map').hidden"));
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task ServedPage_FilesThatAreDropped_AreTaken()
    {
        using var server = new RunningServer(ColourModel.Write(_root));
        IPage page = await OpenAsync(server.Address.ToString());

        await DropAsync(page, "not an image"u8.ToArray());
        await page.WaitForSelectorAsync("#problem", new WaitForSelectorOptions { Visible = true });
        Assert.Equal("no PNG, JPEG, BMP or WebP image, or its beginning is damaged", (await TextsAsync(page, "#problem"))[0]);

        await DropAsync(page, ImageBytes.Png(5, 8, 0, 0, 255));
        await page.WaitForSelectorAsync("#classes", new WaitForSelectorOptions { Visible = true });
        Assert.Equal("blue", (await TextsAsync(page, "#classes span:first-child"))[0]);
        Assert.True(await page.EvaluateExpressionAsync<bool>("document.getElementById('problem').hidden"));
        // The browser itself reports the refused request.
        Assert.Equal(["Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"], _complaints);
    }

    [Fact]
    public async Task Report_OfARun_ShowsAllItHas()
    {
        string run = _root.File("run");
        NinProgram.Run([.. TinyData.TrainArguments(TinyData.Write(_root)), "--output", run]);

        IPage page = await OpenAsync(new Uri(Path.Combine(run, "report.html")).ToString());

        string[] headings = await TextsAsync(page, "h2");
        foreach (string heading in (string[])["Curves", "Confusion", "Classes", "Worst mistakes", "First filters", "Time by layer", "Run"])
            Assert.Contains(heading, headings);
        Assert.True(
            await page.EvaluateExpressionAsync<bool>("document.images.length > 0 && [...document.images].every(image => image.complete && image.naturalWidth > 0)"),
            "a picture is broken");
        Assert.True(
            await page.EvaluateExpressionAsync<bool>("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), "it is wider than the window");
        Assert.Equal(0, await page.EvaluateExpressionAsync<int>("performance.getEntriesByType('resource').filter(entry => !entry.name.startsWith('data:')).length"));
        Assert.Empty(_complaints);
    }

    private async Task<IPage> OpenAsync(string address)
    {
        IPage page = await _browser!.NewPageAsync();
        page.Console += (_, e) =>
        {
            if (e.Message.Type is ConsoleType.Error)
                _complaints.Add(e.Message.Text);
        };
        page.PageError += (_, e) => _complaints.Add(e.Message);
        await page.GoToAsync(address);
        return page;
    }

    private static Task<string[]> TextsAsync(IPage page, string selector) =>
        page.EvaluateFunctionAsync<string[]>("selector => [...document.querySelectorAll(selector)].map(element => element.textContent)", selector);

    /// <summary>The middle of the class map as it is drawn: red, green, blue, alpha.</summary>
    private static Task<int[]> PixelOfMapAsync(IPage page) => page.EvaluateExpressionAsync<int[]>(
        "(map => [...map.getContext('2d').getImageData(map.width / 2, map.height / 2, 1, 1).data])(document.getElementById('map'))");

    private static Task DropAsync(IPage page, byte[] file) => page.EvaluateFunctionAsync(
        """
        content => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([Uint8Array.from(atob(content), c => c.charCodeAt(0))], "dropped"));
          document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }
        """,
        Convert.ToBase64String(file));
}

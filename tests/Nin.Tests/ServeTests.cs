using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using NinCudnn.Tests;
using NinCudnn.Tests.Data;
using Xunit;

namespace Nin.Tests;

/// <summary><c>nin serve</c>, without its page.</summary>
[Trait("Modes", "all")]
public sealed class ServeTests : IDisposable
{
    private static readonly byte[] _red = ImageBytes.Png(20, 30, 255, 0, 0);

    private readonly TemporaryDirectory _root = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _root.Dispose();

    [Fact]
    public async Task Predict_AnImage_GivesTheLikeliestClasses()
    {
        using RunningServer server = Start();

        JsonElement[] predictions = [.. (await PredictAsync(server, "/predict?top=2", _red)).GetProperty("predictions").EnumerateArray()];

        Assert.Equal(["red", "green"], predictions.Select(prediction => prediction.GetProperty("class").GetString()));
        Assert.Equal([0, 1], predictions.Select(prediction => prediction.GetProperty("label").GetInt32()));
        Assert.Equal(Math.Exp(8) / (Math.Exp(8) + 2), predictions[0].GetProperty("probability").GetDouble(), 1e-6);
        Assert.False(predictions[0].TryGetProperty("map", out _));
    }

    [Fact]
    public async Task Predict_WithMaps_GivesTheClassMapsByRows()
    {
        using RunningServer server = Start();
        byte[] pixels = ImageBytes.Uniform(8, 8, 0, 0, 0); // (rows, columns, 4)
        for (int x = 0; x < 8; x++)
            pixels[4 * (8 * 2 + x)] = 255; // the third row is red

        JsonElement answer = await PredictAsync(server, "/predict?maps=true&top=1", ImageBytes.Encode(SkiaSharp.SKEncodedImageFormat.Png, 8, 8, pixels));

        JsonElement[] rows = [.. answer.GetProperty("predictions")[0].GetProperty("map").EnumerateArray()];
        Assert.Equal(8, rows.Length);
        for (int y = 0; y < 8; y++)
            Assert.Equal(Enumerable.Repeat(y == 2 ? 8.0 : 0, 8), rows[y].EnumerateArray().Select(value => value.GetDouble()));
    }

    [Fact]
    public async Task Predict_ManyAtOnce_GivesEachItsOwnAnswer()
    {
        using RunningServer server = Start("--max-requests", "100", "--max-batch", "7");
        byte[][] images = [_red, ImageBytes.Png(9, 9, 0, 255, 0), ImageBytes.Png(5, 8, 0, 0, 255)];
        string[] colours = ["red", "green", "blue"];

        string[] answers = await Task.WhenAll(Enumerable.Range(0, 90).Select(async i =>
        {
            JsonElement answer = await PredictAsync(server, "/predict", images[i % 3]);
            return answer.GetProperty("predictions")[0].GetProperty("class").GetString()!;
        }));

        Assert.Equal(Enumerable.Range(0, 90).Select(i => colours[i % 3]), answers);
        string metrics = await server.Client.GetStringAsync("/metrics", Stop);
        Assert.Contains("\nnin_images_total 90\n", metrics, StringComparison.Ordinal);
        Assert.Contains("nin_requests_total{path=\"/predict\",status=\"200\"} 90\n", metrics, StringComparison.Ordinal);
        Assert.Contains("\nnin_predict_duration_seconds_count 90\n", metrics, StringComparison.Ordinal);
        Assert.Contains("\nnin_waiting_images 0\n", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Model_AndHealth_AreTold()
    {
        using RunningServer server = Start();

        JsonElement model = JsonElement.Parse(await server.Client.GetStringAsync("/model", Stop));

        Assert.Equal(["red", "green", "blue"], model.GetProperty("classes").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal(8, model.GetProperty("image_size").GetInt32());
        Assert.Equal("fp32", model.GetProperty("precision").GetString());
        Assert.Equal("{\"status\":\"ok\"}", await server.Client.GetStringAsync("/health", Stop));
    }

    [Theory]
    [InlineData("/predict", "no picture at all", 422, "no PNG, JPEG, BMP or WebP image, or its beginning is damaged")]
    [InlineData("/predict", "", 400, "the body is empty; send an image file")]
    [InlineData("/predict?top=0", "x", 400, "top is '0', but must be a whole number of at least 1")]
    [InlineData("/predict?maps=2", "x", 400, "maps is '2', but must be true or false")]
    [InlineData("/predict/more", "x", 404, "there is no /predict/more")]
    [InlineData("/../../etc/passwd", "x", 404, "there is no /etc/passwd")]
    [InlineData("/model", "x", 405, "/model takes no POST")]
    public async Task Post_WhatIsWrong_IsToldInOneLine(string path, string body, int status, string detail)
    {
        using RunningServer server = Start();

        using HttpResponseMessage response = await server.Client.PostAsync(path, new StringContent(body), Stop);

        await CheckProblemAsync(response, status, detail);
    }

    [Fact]
    public async Task Predict_AForm_IsRefused()
    {
        using RunningServer server = Start();
        using var form = new MultipartFormDataContent { { new ByteArrayContent(_red), "file", "red.png" } };

        using HttpResponseMessage response = await server.Client.PostAsync("/predict", form, Stop);

        await CheckProblemAsync(response, 415, "send the image file itself as the body, not a form");
    }

    [Fact]
    public async Task Predict_LargeFile_IsRefused()
    {
        using RunningServer server = Start("--max-body", "1K");
        using var chunks = new StreamContent(new MemoryStream(new byte[1 << 20]));
        chunks.Headers.ContentLength = null; // its size is not announced
        using var request = new HttpRequestMessage(HttpMethod.Post, "/predict") { Content = chunks };
        request.Headers.TransferEncodingChunked = true;

        using HttpResponseMessage response = await server.Client.SendAsync(request, Stop);

        await CheckProblemAsync(response, 413, "Request body too large. The max request body size is 1024 bytes.");
    }

    [Fact]
    public async Task Predict_DecompressionBomb_IsRefused()
    {
        using RunningServer server = Start("--max-megapixels", "1");
        byte[] bomb = ImageBytes.Png(2000, 2000, 0, 0, 0);
        Assert.InRange(bomb.Length, 1, 100_000);

        using HttpResponseMessage response = await server.Client.PostAsync("/predict", new ByteArrayContent(bomb), Stop);

        await CheckProblemAsync(response, 422, "2000×2000 pixels, more than 1 megapixels");
    }

    [Fact]
    public async Task Predict_MoreThanMayWait_IsRefused_AndLaterTaken()
    {
        using RunningServer server = Start("--max-requests", "1");
        using (await SendBeginningAsync(server))
        {
            using HttpResponseMessage response = await server.Client.PostAsync("/predict", new ByteArrayContent(_red), Stop);
            await CheckProblemAsync(response, 503, "1 predictions are under way already");
            Assert.Equal("1", Assert.Single(response.Headers.GetValues("Retry-After")));
        }
        await WaitAsync(async () =>
        {
            using HttpResponseMessage response = await server.Client.PostAsync("/predict", new ByteArrayContent(_red), Stop);
            return response.IsSuccessStatusCode;
        });
    }

    [Fact]
    public async Task Predict_ThatTakesTooLong_IsEnded()
    {
        using RunningServer server = Start("--timeout", "0.3");
        using StreamReader slow = await SendBeginningAsync(server);

        Assert.Equal("HTTP/1.1 503 Service Unavailable", await slow.ReadLineAsync(Stop));
        Assert.Contains("it took longer than 0.3 s", await slow.ReadToEndAsync(Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_ByAnotherHostsName_IsRefused()
    {
        using RunningServer server = Start();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/model") { Headers = { Host = "elsewhere.example" } };

        using HttpResponseMessage response = await server.Client.SendAsync(request, Stop);

        await CheckProblemAsync(response, 400, "the host elsewhere.example is not this server's");
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void Serve_Signal_EndsIt(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "sends a signal");
        using RunningServer server = Start();
        Assert.True(server.Address.IsLoopback);

        server.Program.Signal(signal);

        server.Program.WaitForExit().Succeeded();
    }

    [Fact]
    public void Serve_PortThatIsTaken_IsSaid()
    {
        using RunningServer server = Start();

        NinProgram.Run("serve", "--checkpoint", ColourModel.Write(_root), "--device", "cpu", "--port", $"{server.Address.Port}")
            .Failed(1, $"can't listen on 127.0.0.1:{server.Address.Port}", "--port takes another port");
    }

    [Theory]
    [InlineData("--port", "70000", "--port is 70000, but must be at most 65535")]
    [InlineData("--address", "here", "--address is 'here', but must be an IP address")]
    [InlineData("--timeout", "0", "--timeout is 0, but must be between 0.001 and 86400")]
    [InlineData("--max-batch", "0", "--max-batch is '0'")]
    public void Serve_WrongOption_IsSaid(string option, string value, string message) =>
        NinProgram.Run("serve", "--checkpoint", ColourModel.Write(_root), "--device", "cpu", option, value).Failed(2, message);

    private RunningServer Start(params string[] options) => new(ColourModel.Write(_root), options);

    private static async Task<JsonElement> PredictAsync(RunningServer server, string path, byte[] image)
    {
        using HttpResponseMessage response = await server.Client.PostAsync(path, new ByteArrayContent(image), Stop);
        string text = await response.Content.ReadAsStringAsync(Stop);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonElement.Parse(text);
    }

    private static async Task CheckProblemAsync(HttpResponseMessage response, int status, string detail)
    {
        JsonElement problem = JsonElement.Parse(await response.Content.ReadAsStringAsync(Stop));
        Assert.Equal((status, detail), ((int)response.StatusCode, problem.GetProperty("detail").GetString()));
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    /// <summary>Begins a request for a prediction and waits until the server asks for the image, which does not come.</summary>
    /// <returns>What the server sends then; with it the connection is closed.</returns>
    private static async Task<StreamReader> SendBeginningAsync(RunningServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port, Stop);
        var stream = new NetworkStream(socket, ownsSocket: true);
        await stream.WriteAsync(
            "POST /predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"u8.ToArray(), Stop);
        var reader = new StreamReader(stream);
        Assert.Equal("HTTP/1.1 100 Continue", await reader.ReadLineAsync(Stop));
        Assert.Equal("", await reader.ReadLineAsync(Stop));
        return reader;
    }

    /// <summary>Tries until it is so.</summary>
    private static async Task WaitAsync(Func<Task<bool>> isSo)
    {
        for (int attempt = 0; !await isSo(); attempt++)
        {
            Assert.True(attempt < 1000, "it never was so");
            await Task.Delay(10, Stop);
        }
    }
}

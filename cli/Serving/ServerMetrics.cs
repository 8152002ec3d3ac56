using System.Globalization;
using NinCudnn.Training;
using Prometheus;

namespace NinCudnn.Cli.Serving;

/// <summary>The figures of a <see cref="PredictionServer"/>, in Prometheus's text format.</summary>
internal sealed class ServerMetrics
{
    private readonly CollectorRegistry _registry = Metrics.NewCustomRegistry();
    private readonly Counter _requests;
    private readonly Histogram _duration;

    public ServerMetrics(BatchingPredictor predictor)
    {
        MetricFactory factory = Metrics.WithCustomRegistry(_registry);
        _requests = factory.CreateCounter("nin_requests_total", "Requests answered.", "path", "status");
        _duration = factory.CreateHistogram(
            "nin_predict_duration_seconds", "Time from a prediction's request to its answer.",
            new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.001, 2, 14) });
        Counter images = factory.CreateCounter("nin_images_total", "Images predicted.");
        Counter batches = factory.CreateCounter("nin_batches_total", "Times that the network ran.");
        Gauge waiting = factory.CreateGauge("nin_waiting_images", "Images that wait for the network.");
        _registry.AddBeforeCollectCallback(() =>
        {
            images.IncTo(predictor.Images);
            batches.IncTo(predictor.Batches);
            waiting.Set(predictor.Waiting);
        });
    }

    /// <summary>A request was answered.</summary>
    /// <param name="path">The endpoint's path; the request's own would make a series of whatever is asked for.</param>
    /// <param name="status">The status code.</param>
    /// <param name="duration">How long it took.</param>
    public void Answered(string path, int status, TimeSpan duration)
    {
        _requests.WithLabels(path, status.ToString(CultureInfo.InvariantCulture)).Inc();
        if (path == PredictionServer.PredictPath)
            _duration.Observe(duration.TotalSeconds);
    }

    public Task WriteAsync(Stream stream, CancellationToken stop) => _registry.CollectAndExportAsTextAsync(stream, stop);
}

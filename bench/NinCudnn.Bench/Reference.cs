using System.Globalization;
using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Formats;
using NinCudnn.Interop;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Training;

namespace NinCudnn.Bench;

/// <summary>
/// What another implementation needs to show that it computes the same: the model before the first step (model.safetensors, model.onnx), a batch
/// and our losses on it (batch.safetensors: x in NCHW, labels; metadata loss and loss_after_step). Without dropout, whose masks are everybody's own.
/// </summary>
internal static class Reference
{
    public static void Write(string directory, int batch, int imageSize)
    {
        Directory.CreateDirectory(directory);
        Architecture seed = Architecture.Seed();
        ImageDataset images = SyntheticData.Images(batch, imageSize); // of the network's size, so that nothing is resized
        var description = new ModelDescription(seed, imageSize, Normalization.None(1), images.ClassNames);

        using Device device = Device.Open(DeviceRequest.Auto);
        Architecture withoutDropout = seed with { Layers = [.. seed.Layers.Select(layer => layer is DropoutLayer ? new DropoutLayer(0) : layer)] };
        using var step = new NetworkStep(device, withoutDropout, images, batch, imageSize);
        var model = new ModelFile(description, step.Parameters.DownloadValues());
        model.Save(Path.Combine(directory, "model.safetensors"));
        OnnxExport.Save(model, Path.Combine(directory, "model.onnx"));
        double loss = Step(), lossAfterStep = Step();

        var writer = new SafetensorsWriter();
        float[] x = [.. images.Images.ToArray().Select(pixel => pixel / 255f)], labels = [.. images.Labels.ToArray().Select(label => (float)label)];
        writer.Add("x", [batch, 1, imageSize, imageSize], x); // with one channel NHWC and NCHW are the same
        writer.Add("labels", [batch], labels);
        writer.Metadata["loss"] = loss.ToString("R", CultureInfo.InvariantCulture);
        writer.Metadata["loss_after_step"] = lossAfterStep.ToString("R", CultureInfo.InvariantCulture);
        writer.Save(Path.Combine(directory, "batch.safetensors"));

        double Step()
        {
            step.Send();
            step.Run();
            return step.TakeLoss();
        }
    }
}

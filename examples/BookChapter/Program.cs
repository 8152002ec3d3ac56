// "Network in Network (NiN)" of Dive into Deep Learning, cell by cell.
// The chapter: https://d2l.ai/chapter_convolutional-modern/nin.html

using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Training;

// What the book trains with. On a CPU that takes hours; for a first look: NIN_SIZE=72 NIN_EPOCHS=1 NIN_SAMPLES=6400.
int imageSize = Setting("NIN_SIZE", 224), epochs = Setting("NIN_EPOCHS", 10), samples = Setting("NIN_SAMPLES", 60_000);

// Cell 1: the NiN block. A convolution, then two 1×1 convolutions, which are a fully connected network at each pixel, with a rectifier
// behind each of the three.
static NinBlock Block(int channels, int kernel, int stride, int padding) =>
    new(channels, kernel, stride, padding, PointwiseChannels: [channels, channels]);

// Cell 2: the network. The last block has a channel for each class, and the mean of each channel is the class's score: NiN has no
// fully connected layers, and far fewer parameters than AlexNet for that reason.
var net = new Architecture("NiN", InputChannels: 1, Classes: 10, Layers:
[
    Block(96, kernel: 11, stride: 4, padding: 1),
    new MaxPool(Window: 3, Stride: 2),
    Block(256, kernel: 5, stride: 1, padding: 2),
    new MaxPool(Window: 3, Stride: 2),
    Block(384, kernel: 3, stride: 1, padding: 1),
    new MaxPool(Window: 3, Stride: 2),
    new DropoutLayer(Rate: 0.5),
    Block(10, kernel: 3, stride: 1, padding: 1),
    new GlobalAveragePool(),
    new Flatten(),
]);

// Cell 3: the shape behind each layer, for one grey image of 224×224.
foreach (var (layer, shape) in net.Layers.Zip(net.InferShapes(batch: 1, height: 224, width: 224)))
    Console.WriteLine($"{Architecture.Describe(layer),-40} output shape: {shape}");
Console.WriteLine($"{NetworkSummary.Create(net, 224, 224).Parameters:N0} parameters");

// Cell 4: the data. Images stay 28×28 bytes; they are resized on the device, batch by batch.
ImageDataset train = KnownDatasets.FashionMnist.Load(DatasetSplit.Train), test = KnownDatasets.FashionMnist.Load(DatasetSplit.Test);
train = train.Take(Math.Min(samples, train.Count));
test = test.Take(Math.Min(samples, test.Count));

// Cell 5: the training. Weights are drawn as Xavier's, everything is updated by plain SGD.
var recipe = new TrainingRecipe
{
    ImageSize = imageSize,
    Epochs = epochs,
    BatchSize = 128,
    LearningRate = 0.1,
    Initialization = Initialization.Xavier,
};
using Device device = Device.Open();
using var trainer = new Trainer(device, net, recipe, train, test);
Console.WriteLine($"training on {device.Name}");
TrainingResult result = trainer.Train(new EpochPrinter());
if (result.LastEpoch is { } last)
    Console.WriteLine($"loss {last.Train.Loss:F3}, train acc {last.Train.Accuracy:F3}, test acc {last.Test.Accuracy:F3}");
Console.WriteLine($"{result.SamplesPerSecond:F1} examples/sec on {device.Name}");

static int Setting(string name, int book) => int.TryParse(Environment.GetEnvironmentVariable(name), out int value) ? value : book;

/// <summary>Shows what each epoch gave.</summary>
internal sealed class EpochPrinter : ITrainingObserver
{
    public void EpochEnded(EpochResult epoch) => Console.WriteLine(
        $"epoch {epoch.Epoch}: loss {epoch.Train.Loss:F3}, train acc {epoch.Train.Accuracy:F3}, test acc {epoch.Test.Accuracy:F3}");
}
